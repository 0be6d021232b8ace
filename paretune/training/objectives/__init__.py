"""Training objectives, one file each; `paretune.objectives` names them."""

"""Training methods, one file each; `paretune.methods` names them."""

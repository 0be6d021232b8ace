"""The only composer: an experiment's configuration, the functions of the other modules, and files."""

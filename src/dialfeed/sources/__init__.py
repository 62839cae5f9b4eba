"""Where rows come from. Each kind of source is one module behind the interface in `base`."""

"""What `make run` starts: the service on demo data, and a link that downloads."""

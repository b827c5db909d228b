"""The version of the service, as `CHANGELOG.md` tells its changes."""

VERSION = "0.2.0"

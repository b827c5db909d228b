"""A client that speaks HTTP/1.0, as some proxies do."""

import http.client


class HTTP10Connection(http.client.HTTPConnection):
    """Names HTTP/1.0 in its requests, and takes nothing that is newer."""

    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"

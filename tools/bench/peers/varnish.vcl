vcl 4.1;
backend default { .host = "{{origin_host}}"; .port = "{{origin_port}}"; .max_connections = 64; }
sub vcl_backend_response { set beresp.ttl = 1h; }

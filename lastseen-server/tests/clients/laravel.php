<?php
// A site that calls the middleware of docs/clients.md, which lies in the working directory, as Laravel would.

require './lastseen.php';

class User {
    public function __construct(private int $id) {}
    public function getAuthIdentifier() { return $this->id; }
}

class Request {
    public function __construct(private string $method, private string $uri, private array $headers, private string $peer) {}
    public function user() {
        return preg_match('/user=(\d+)/', $this->header('Cookie') ?? '', $user) ? new User((int) $user[1]) : null;
    }
    public function server($name) { return $name === 'REMOTE_ADDR' ? $this->peer : null; }
    public function getRequestUri() { return $this->uri; }
    public function header($name) { return $this->headers[strtolower($name)] ?? null; }
    public function method() { return $this->method; }
}

$server = stream_socket_server('tcp://127.0.0.1:0');
echo 'listening on http://', stream_socket_get_name($server, false), "\n";
while ($client = stream_socket_accept($server, -1, $peer)) {
    [$method, $uri] = explode(' ', fgets($client));
    $headers = [];
    while (($line = rtrim(fgets($client))) !== '') {
        [$name, $value] = explode(': ', $line, 2);
        $headers[strtolower($name)] = $value;
    }
    $request = new Request($method, $uri, $headers, explode(':', $peer)[0]);
    $middleware = new App\Http\Middleware\LastSeen();
    $page = $middleware->handle($request, fn ($request) => "Hello\n");
    fwrite($client, "HTTP/1.1 200 OK\r\nContent-Length: " . strlen($page) . "\r\nConnection: close\r\n\r\n$page");
    fclose($client);
    $middleware->terminate($request, $page);
}

<?php
// PHP, with its sessions in files; php-fpm behind nginx. MODE=on|off, and SESSIONS, their directory.
// Off, the count is kept nowhere: there is no memory between requests.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
header('Content-Type: text/plain');
if ($_SERVER['MODE'] === 'off') {
    echo $path === '/read' ? "user1\n" : "1\n";
    return;
}
session_save_path($_SERVER['SESSIONS']);
// A read that holds no lock, as PHP's manual advises.
session_start($path === '/read' ? ['read_and_close' => true] : []);
if ($path === '/login') {
    $_SESSION['user'] = $_GET['user'];
    $_SESSION['cart'] = str_repeat('x', 60);
    echo "in\n";
} elseif ($path === '/read') {
    echo $_SESSION['user'], "\n";
} elseif ($path === '/write') {
    $_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
    echo $_SESSION['count'], "\n";
} else {
    http_response_code(404);
}

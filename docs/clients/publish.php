<?php
// Publishes an event. However often it is run with the same IDEMPOTENCY_KEY, there is one event. PHP 8, nothing else.
declare(strict_types=1);

const RETRIES = 4;

/** Publishes an event, and repeats that where it may have got lost. Returns the event with its id. */
function publish(string $baseUrl, string $channel, string $key, array $event, string $idempotencyKey): array
{
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Authorization: Basic ' . base64_encode("$key:"),
            'Content-Type: application/json',
            "Idempotency-Key: $idempotencyKey",
        ],
        'content' => json_encode($event, JSON_THROW_ON_ERROR),
        'timeout' => 30,
        'ignore_errors' => true,
    ]]);
    for ($repeated = 0; ; $repeated++) {
        $wait = 0.25 * 2 ** $repeated;
        $http_response_header = [];
        $body = @file_get_contents("$baseUrl/v1/channels/$channel/events", false, $context);
        $status = (int) (explode(' ', $http_response_header[0] ?? '')[1] ?? 0);
        if ($status >= 200 && $status < 300) {
            return json_decode($body, true, flags: JSON_THROW_ON_ERROR);
        }
        $isPassing = $status === 0 || $status >= 500 || in_array($status, [408, 429], true);
        if (!$isPassing || $repeated === RETRIES) {
            throw new RuntimeException($status === 0 ? 'no answer' : $body);
        }
        foreach ($http_response_header as $header) {
            if (stripos($header, 'Retry-After:') === 0) {
                $wait = (float) trim(substr($header, strlen('Retry-After:')));
            }
        }
        usleep((int) ($wait * 1_000_000));
    }
}

$published = publish(
    getenv('BASE_URL'),
    getenv('CHANNEL'),
    getenv('PUBLISHER_KEY'),
    ['event_name' => 'request.created', 'data' => ['request' => 123]],
    getenv('IDEMPOTENCY_KEY') ?: bin2hex(random_bytes(16)),
);
echo json_encode($published, JSON_THROW_ON_ERROR), "\n";

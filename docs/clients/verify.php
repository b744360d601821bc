<?php
// Verifies a delivery: its body on stdin, its headers in WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE. PHP 8, nothing else.
declare(strict_types=1);

const TOLERANCE = 300;

final class SignatureError extends RuntimeException
{
}

/** @throws SignatureError where the body (as it came) was not signed with the secret in the last five minutes */
function verify(string $secret, string $id, string $timestamp, string $signatures, string $body): void
{
    if (abs(time() - (int) $timestamp) > TOLERANCE) {
        throw new SignatureError('it was signed too long ago, or in the future');
    }
    $key = base64_decode(substr($secret, strlen('whsec_')), true);
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // One of them is enough: amid a rotation there are two.
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return;
        }
    }
    throw new SignatureError('no signature matches');
}

try {
    verify(
        getenv('SIGNING_SECRET'),
        getenv('WEBHOOK_ID'),
        getenv('WEBHOOK_TIMESTAMP'),
        getenv('WEBHOOK_SIGNATURE'),
        file_get_contents('php://stdin'),
    );
} catch (SignatureError $error) {
    fwrite(STDERR, "refused: {$error->getMessage()}\n");
    exit(1);
}
echo 'verified ', getenv('WEBHOOK_ID'), "\n";

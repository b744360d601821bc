# Verifies a delivery: its body on stdin, its headers in WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE. Ruby 3, nothing else.
require "openssl"

TOLERANCE = 300

class SignatureError < StandardError; end

# Raises SignatureError where the body (as it came) was not signed with the secret in the last five minutes.
def verify(secret, id, timestamp, signatures, body)
  raise SignatureError, "it was signed too long ago, or in the future" if (Time.now.to_i - Integer(timestamp, 10)).abs > TOLERANCE

  key = secret.delete_prefix("whsec_").unpack1("m0")
  signed = "#{id}.#{timestamp}.".b + body.b
  expected = "v1," + [OpenSSL::HMAC.digest("SHA256", key, signed)].pack("m0")
  # One of them is enough: amid a rotation there are two.
  return if signatures.split(" ").any? { |signature| OpenSSL.secure_compare(expected, signature) }

  raise SignatureError, "no signature matches"
end

if __FILE__ == $PROGRAM_NAME
  begin
    verify(ENV.fetch("SIGNING_SECRET"), *%w[WEBHOOK_ID WEBHOOK_TIMESTAMP WEBHOOK_SIGNATURE].map { |name| ENV.fetch(name) }, $stdin.binmode.read)
  rescue SignatureError => error
    abort "refused: #{error.message}"
  end
  puts "verified #{ENV.fetch("WEBHOOK_ID")}"
end

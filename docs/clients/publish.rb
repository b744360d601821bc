# Publishes an event. However often it is run with the same IDEMPOTENCY_KEY, there is one event. Ruby 3, nothing else.
require "json"
require "net/http"
require "securerandom"
require "uri"

RETRIES = 4

# Publishes an event, and repeats that where it may have got lost. Returns the event with its id.
def publish(base_url, channel, key, event, idempotency_key)
  uri = URI("#{base_url}/v1/channels/#{channel}/events")
  request = Net::HTTP::Post.new(uri, "Content-Type" => "application/json", "Idempotency-Key" => idempotency_key)
  request.basic_auth(key, "")
  request.body = JSON.generate(event)
  (0..RETRIES).each do |repeated|
    wait = 0.25 * 2**repeated
    begin
      response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", read_timeout: 30) { |http| http.request(request) }
      status = response.code.to_i
      return JSON.parse(response.body) if status < 300
      raise response.body if repeated == RETRIES || !(status >= 500 || [408, 429].include?(status))
      wait = Float(response["Retry-After"] || wait)
    rescue SystemCallError, IOError, Timeout::Error
      raise if repeated == RETRIES
    end
    sleep(wait)
  end
end

if __FILE__ == $PROGRAM_NAME
  event = { event_name: "request.created", data: { request: 123 } }
  idempotency_key = ENV["IDEMPOTENCY_KEY"] || SecureRandom.uuid
  puts JSON.generate(publish(ENV.fetch("BASE_URL"), ENV.fetch("CHANNEL"), ENV.fetch("PUBLISHER_KEY"), event, idempotency_key))
end

// Publishes an event. However often it is run with the same IDEMPOTENCY_KEY, there is one event. Go 1.19, nothing else.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

const retries = 4

// publish publishes an event, and repeats that where it may have got lost. It returns the event with its id, as JSON.
func publish(baseURL, channel, key string, event any, idempotencyKey string) ([]byte, error) {
	body, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 30 * time.Second}
	for repeated := 0; ; repeated++ {
		wait := 250 * time.Millisecond << repeated
		request, err := http.NewRequest("POST", baseURL+"/v1/channels/"+channel+"/events", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.SetBasicAuth(key, "")
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", idempotencyKey)
		response, err := client.Do(request)
		if err == nil {
			var answer []byte
			answer, err = io.ReadAll(response.Body)
			response.Body.Close()
			if err == nil && response.StatusCode < 300 {
				return answer, nil
			}
			if err == nil {
				err = fmt.Errorf("%d: %s", response.StatusCode, answer)
				if response.StatusCode < 500 && response.StatusCode != 408 && response.StatusCode != 429 {
					return nil, err
				}
				if seconds, notGiven := strconv.Atoi(response.Header.Get("Retry-After")); notGiven == nil {
					wait = time.Duration(seconds) * time.Second
				}
			}
		}
		if repeated == retries {
			return nil, err
		}
		time.Sleep(wait)
	}
}

func main() {
	idempotencyKey := os.Getenv("IDEMPOTENCY_KEY")
	if idempotencyKey == "" {
		random := make([]byte, 16)
		if _, err := rand.Read(random); err != nil {
			log.Fatal(err)
		}
		idempotencyKey = hex.EncodeToString(random)
	}
	event := map[string]any{"event_name": "request.created", "data": map[string]any{"request": 123}}
	published, err := publish(os.Getenv("BASE_URL"), os.Getenv("CHANNEL"), os.Getenv("PUBLISHER_KEY"), event, idempotencyKey)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(published))
}

// The few Kafka messages the raw client speaks, written by hand so that nearly all CPU spent in a run is the broker's.
// Produce 7, Fetch 11, ApiVersions 0: old enough for plain (not flexible) headers, new enough for Kafka 4.
#pragma once
#include "client.h"

struct buffer {
  uint8_t *bytes;
  size_t length, capacity;
};

static inline void put(struct buffer *to, const void *bytes, size_t length) {
  if (to->length + length > to->capacity) {
    to->capacity = (to->length + length) * 2;
    to->bytes = realloc(to->bytes, to->capacity);
  }
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}

static inline void set_be(uint8_t *at, uint64_t value, int width) {
  for (int i = width - 1; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static inline void put_be(struct buffer *to, int64_t value, int width) {
  uint8_t bytes[8];
  set_be(bytes, (uint64_t)value, width);
  put(to, bytes, width);
}

static inline int64_t get_be(const uint8_t *at, int width) {
  int64_t value = (int8_t)at[0];
  for (int i = 1; i < width; i++) value = (int64_t)((uint64_t)value << 8 | at[i]);
  return value;
}

static inline void put_string(struct buffer *to, const char *text) {
  put_be(to, text ? (int64_t)strlen(text) : -1, 2);
  if (text) put(to, text, strlen(text));
}

static inline void put_varint(struct buffer *to, int32_t value) {
  uint32_t rest = ((uint32_t)value << 1) ^ (uint32_t)(value >> 31);
  for (; rest > 127; rest >>= 7) put_be(to, (rest & 127) | 128, 1);
  put_be(to, rest, 1);
}

static inline uint32_t crc32c(const uint8_t *bytes, size_t length) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < length; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? 0x82F63B78u ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

// One record batch (magic 2), no keys, no headers, all records alike. Built once and sent again and again.
static inline struct buffer make_batch(int records, int value_bytes) {
  enum { length_at = 8, crc_at = 17, checked_from = 21, length_from = 12 };
  struct buffer batch = {0};
  int64_t now_ms = (int64_t)time(NULL) * 1000;
  char *value = make_value(value_bytes);
  put_be(&batch, 0, 8);           // base offset
  put_be(&batch, 0, 4);           // length, set below
  put_be(&batch, -1, 4);          // leader epoch
  put_be(&batch, 2, 1);           // magic
  put_be(&batch, 0, 4);           // CRC, set below
  put_be(&batch, 0, 2);           // attributes
  put_be(&batch, records - 1, 4); // last offset delta
  put_be(&batch, now_ms, 8);
  put_be(&batch, now_ms, 8);
  put_be(&batch, -1, 8); // producer id
  put_be(&batch, -1, 2); // producer epoch
  put_be(&batch, -1, 4); // base sequence
  put_be(&batch, records, 4);
  for (int i = 0; i < records; i++) {
    struct buffer record = {0};
    put_be(&record, 0, 1);
    put_varint(&record, 0); // timestamp delta
    put_varint(&record, i); // offset delta
    put_varint(&record, -1);
    put_varint(&record, value_bytes);
    put(&record, value, value_bytes);
    put_varint(&record, 0);
    put_varint(&batch, (int32_t)record.length);
    put(&batch, record.bytes, record.length);
    free(record.bytes);
  }
  set_be(batch.bytes + length_at, batch.length - length_from, 4);
  set_be(batch.bytes + crc_at, crc32c(batch.bytes + checked_from, batch.length - checked_from), 4);
  free(value);
  return batch;
}

enum { correlation_at = 8 };

static inline struct buffer begin_request(int key, int version) {
  struct buffer request = {0};
  put_be(&request, 0, 4); // frame length, set by end_request
  put_be(&request, key, 2);
  put_be(&request, version, 2);
  put_be(&request, 0, 4);
  put_string(&request, "raw-bench");
  return request;
}

static inline struct buffer end_request(struct buffer request) {
  set_be(request.bytes, request.length - 4, 4);
  return request;
}

static inline struct buffer api_versions_request(void) { return end_request(begin_request(18, 0)); }

static inline struct buffer produce_request(const char *topic, int partition, int acks, const struct buffer *batch) {
  struct buffer request = begin_request(0, 7);
  put_string(&request, NULL);
  put_be(&request, acks, 2);
  put_be(&request, 30000, 4);
  put_be(&request, 1, 4);
  put_string(&request, topic);
  put_be(&request, 1, 4);
  put_be(&request, partition, 4);
  put_be(&request, batch->length, 4);
  put(&request, batch->bytes, batch->length);
  return end_request(request);
}

static inline struct buffer fetch_request(const char *topic, int partition, int64_t offset, int bytes_max) {
  struct buffer request = begin_request(1, 11);
  put_be(&request, -1, 4);  // a consumer, not a replica
  put_be(&request, 500, 4); // wait ms
  put_be(&request, 1, 4);   // bytes at least
  put_be(&request, bytes_max, 4);
  put_be(&request, 0, 1);  // isolation
  put_be(&request, 0, 4);  // no fetch session …
  put_be(&request, -1, 4); // … and none wanted
  put_be(&request, 1, 4);
  put_string(&request, topic);
  put_be(&request, 1, 4);
  put_be(&request, partition, 4);
  put_be(&request, -1, 4); // leader epoch
  put_be(&request, offset, 8);
  put_be(&request, -1, 8); // log start offset
  put_be(&request, bytes_max, 4);
  put_be(&request, 0, 4); // no forgotten topics
  put_string(&request, "");
  return end_request(request);
}

// Error code of a Produce 7 answer that names one topic and one partition; `body` begins at the correlation id.
static inline int produce_error(const uint8_t *body) {
  int64_t topic_length = get_be(body + 8, 2);
  return (int)get_be(body + 10 + topic_length + 8, 2);
}

struct fetched {
  int error;
  int64_t high_watermark, next_offset;
  long bytes;
};

// Steps over whole batches without looking into them; a batch cut off at the end of the answer is not counted.
static inline struct fetched read_fetch(const uint8_t *body, long length, int64_t asked) {
  const uint8_t *end = body + length, *at = body + 8;
  struct fetched got = {(int)get_be(at, 2), 0, asked, 0};
  if (got.error) return got;
  at += 2 + 4;              // error, session id
  if (get_be(at, 4) < 1) die("a fetch was answered without its topic");
  at += 4;
  at += 2 + get_be(at, 2);  // topic name
  at += 4 + 4;              // partition count, partition index
  got.error = (int)get_be(at, 2);
  got.high_watermark = get_be(at + 2, 8);
  at += 2 + 8 + 8 + 8;      // error, high watermark, last stable offset, log start offset
  int64_t aborted = get_be(at, 4);
  at += 4 + (aborted > 0 ? aborted * 16 : 0) + 4; // aborted transactions, preferred replica
  got.bytes = get_be(at, 4) > 0 ? get_be(at, 4) : 0;
  for (at += 4; at + 61 <= end;) {
    int64_t batch_length = get_be(at + 8, 4) + 12;
    if (at + batch_length > end) break;
    got.next_offset = get_be(at, 8) + get_be(at + 23, 4) + 1;
    at += batch_length;
  }
  return got;
}

// What both native clients share: a clock, named arguments, percentiles, and the hand-shake with the script that
// reads the meters. The client only times itself; CPU and memory are read by the script while the client waits.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static inline int64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline double seconds_since(int64_t start_ns) { return (clock_ns() - start_ns) / 1e9; }

static inline void die(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

// Says where we are and waits until the script has read its meters. Setup before `begin` and teardown after `end`
// are therefore never charged to the broker.
static inline void mark(const char *name) {
  char answer[16];
  printf("mark %s\n", name);
  fflush(stdout);
  if (!fgets(answer, sizeof answer, stdin)) die("the script went away");
}

static int argument_count;
static char **arguments;

static inline const char *text_argument(const char *name, const char *otherwise) {
  for (int i = 2; i + 1 < argument_count; i += 2)
    if (!strncmp(arguments[i], "--", 2) && !strcmp(arguments[i] + 2, name)) return arguments[i + 1];
  return otherwise;
}

static inline long number_argument(const char *name, long otherwise) {
  const char *text = text_argument(name, NULL);
  return text ? atol(text) : otherwise;
}

// Letters that do not repeat within a value: a broker or client that compresses by accident gains nothing from them.
static inline char *make_value(long bytes) {
  char *value = malloc(bytes);
  uint32_t state = 7;
  for (long i = 0; i < bytes; i++) {
    state = state * 1664525u + 1013904223u;
    value[i] = 'a' + (state >> 24) % 26;
  }
  return value;
}

// What is sent: one value again and again, or ('text') a thousand that differ as records do which codecs are meant for: the same
// words again and again, and numbers that do not repeat.
struct values {
  char *bytes;
  long each, count;
};

static inline char *value_at(struct values *values, long i) { return values->bytes + i % values->count * values->each; }

static inline struct values make_values(long bytes, const char *kind, uint32_t seed) {
  static const char *const words[] = {"order", "customer", "amount", "created", "shipped", "country", "status", "note"};
  if (strcmp(kind, "text")) return (struct values){make_value(bytes), bytes, 1};
  struct values values = {.each = bytes, .count = bytes > 10000 ? 20 : 1000};
  values.bytes = malloc(values.each * values.count);
  uint32_t state = seed + 7;
  for (long i = 0; i < values.count; i++) {
    for (long at = 0; at < bytes;) {
      char member[64];
      state = state * 1664525u + 1013904223u;
      long length = snprintf(member, sizeof member, "\"%s\":\"%08x\",", words[state >> 29], state);
      if (length > bytes - at) length = bytes - at;
      memcpy(values.bytes + i * values.each + at, member, length);
      at += length;
    }
  }
  return values;
}

static int by_size(const void *left, const void *right) {
  int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
  return (a > b) - (a < b);
}

// Sorts the samples (ns) and prints their percentiles, mean and maximum as JSON members named PREFIX_p50 … in ms.
static inline void print_percentiles(const char *prefix, int64_t *samples, long count) {
  static const struct { const char *name; double share; } points[] = {
      {"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"p9999", .9999}, {"max", 1}};
  if (count <= 0) return;
  qsort(samples, count, sizeof *samples, by_size);
  for (int i = 0; i < 6; i++)
    printf(",\"%s_%s\":%.4f", prefix, points[i].name, samples[(long)((count - 1) * points[i].share)] / 1e6);
  double sum = 0;
  for (long i = 0; i < count; i++) sum += samples[i];
  printf(",\"%s_mean\":%.4f", prefix, sum / count / 1e6);
}

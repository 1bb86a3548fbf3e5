// As much JSON as the commands of hand.ts need: a tree to read, a growing line to write.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Json {
  enum { ABSENT, NULLED, TRUTH, NUMBER, TEXT, LIST, FIELDS } kind;
  char *name; // as a field
  char *text;
  size_t size; // of text
  double number;
  struct Json *first, *next;
} Json;

Json *json_read(char *line);
void json_free(Json *);
/** Never NULL: what is not there is of kind ABSENT. */
const Json *field(const Json *, const char *name);
const char *text_of(const Json *, const char *name, const char *otherwise);
int64_t number_of(const Json *, const char *name, int64_t otherwise);
bool has(const Json *, const char *name);
int count_of(const Json *list);

typedef struct {
  char *at;
  size_t size, room;
} Line;

void say(Line *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_text(Line *, const char *text);
void say_bytes(Line *, const void *bytes, size_t size); // base64; null for NULL
/** Bytes of base64 in place; NULL for null. */
void *bytes_of(const Json *, size_t *size);

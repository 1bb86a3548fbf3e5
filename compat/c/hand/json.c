// See json.h.
#include "json.h"
#include <stdarg.h>
#include <stdio.h>

static const Json absent = {.kind = ABSENT};

static void blank(char **at) {
  while (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r') ++*at;
}

static void put_rune(char **to, unsigned rune) {
  if (rune < 0x80) *(*to)++ = (char)rune;
  else if (rune < 0x800) {
    *(*to)++ = (char)(0xc0 | rune >> 6);
    *(*to)++ = (char)(0x80 | (rune & 0x3f));
  } else {
    *(*to)++ = (char)(0xe0 | rune >> 12);
    *(*to)++ = (char)(0x80 | (rune >> 6 & 0x3f));
    *(*to)++ = (char)(0x80 | (rune & 0x3f));
  }
}

/** Undoes the escapes where they stand: what is written is never longer. */
static char *string(char **at, size_t *size) {
  char *start = ++*at, *to = start;
  while (**at && **at != '"') {
    if (**at != '\\') {
      *to++ = *(*at)++;
      continue;
    }
    char mark = (*at)[1];
    *at += 2;
    if (mark == 'u') {
      char digits[5] = {0};
      memcpy(digits, *at, 4);
      put_rune(&to, (unsigned)strtoul(digits, NULL, 16));
      *at += 4;
    } else
      *to++ = mark == 'n' ? '\n' : mark == 't' ? '\t' : mark == 'r' ? '\r' : mark == 'b' ? '\b' : mark == 'f' ? '\f' : mark;
  }
  ++*at;
  *to = 0;
  *size = (size_t)(to - start);
  return start;
}

static Json *value(char **at) {
  Json *made = calloc(1, sizeof *made);
  blank(at);
  char mark = **at;
  if (mark == '"') {
    made->kind = TEXT;
    made->text = string(at, &made->size);
  } else if (mark == '{' || mark == '[') {
    made->kind = mark == '{' ? FIELDS : LIST;
    Json **end = &made->first;
    for (++*at, blank(at); **at && **at != '}' && **at != ']'; blank(at)) {
      char *name = NULL;
      size_t size;
      if (mark == '{') {
        name = string(at, &size);
        blank(at);
        ++*at; // the colon
      }
      *end = value(at);
      (*end)->name = name;
      end = &(*end)->next;
      blank(at);
      if (**at == ',') ++*at;
    }
    ++*at;
  } else if (mark == 'n' || mark == 't' || mark == 'f') {
    made->kind = mark == 'n' ? NULLED : TRUTH;
    made->number = mark == 't';
    *at += mark == 'f' ? 5 : 4;
  } else {
    made->kind = NUMBER;
    char *end;
    made->number = strtod(*at, &end);
    *at = end == *at ? *at + strlen(*at) : end;
  }
  return made;
}

Json *json_read(char *line) { return value(&line); }

void json_free(Json *json) {
  while (json) {
    Json *next = json->next;
    json_free(json->first);
    free(json);
    json = next;
  }
}

const Json *field(const Json *of, const char *name) {
  for (const Json *each = of->first; each; each = each->next)
    if (each->name && !strcmp(each->name, name)) return each;
  return &absent;
}

const char *text_of(const Json *of, const char *name, const char *otherwise) {
  const Json *found = field(of, name);
  return found->kind == TEXT ? found->text : otherwise;
}

int64_t number_of(const Json *of, const char *name, int64_t otherwise) {
  const Json *found = field(of, name);
  return found->kind == NUMBER || found->kind == TRUTH ? (int64_t)found->number : otherwise;
}

bool has(const Json *of, const char *name) { return field(of, name)->kind != ABSENT; }

int count_of(const Json *list) {
  int count = 0;
  for (const Json *each = list->first; each; each = each->next) count++;
  return count;
}

static void grow(Line *line, size_t more) {
  if (line->size + more < line->room) return;
  line->room = (line->size + more + 1) * 2;
  line->at = realloc(line->at, line->room);
}

void say(Line *line, const char *format, ...) {
  va_list words, again;
  va_start(words, format);
  va_copy(again, words);
  size_t more = (size_t)vsnprintf(NULL, 0, format, words);
  grow(line, more + 1);
  vsnprintf(line->at + line->size, more + 1, format, again);
  line->size += more;
  va_end(words);
  va_end(again);
}

void say_text(Line *line, const char *text) {
  if (!text) return say(line, "null");
  say(line, "\"");
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') say(line, "\\%c", c);
    else if (c < 0x20) say(line, "\\u%04x", c);
    else say(line, "%c", c);
  }
  say(line, "\"");
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void say_bytes(Line *line, const void *bytes, size_t size) {
  if (!bytes) return say(line, "null");
  const unsigned char *b = bytes;
  say(line, "\"");
  grow(line, size / 3 * 4 + 8);
  char *to = line->at + line->size;
  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    unsigned three = (unsigned)b[i] << 16 | (left > 1 ? (unsigned)b[i + 1] << 8 : 0) | (left > 2 ? b[i + 2] : 0);
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
    *to++ = left > 2 ? digits[three & 63] : '=';
  }
  line->size = (size_t)(to - line->at);
  say(line, "\"");
}

void *bytes_of(const Json *json, size_t *size) {
  *size = 0;
  if (json->kind != TEXT) return NULL;
  unsigned held = 0;
  int bits = 0;
  unsigned char *to = (unsigned char *)json->text;
  for (const char *at = json->text; *at && *at != '='; at++) {
    held = held << 6 | (unsigned)(strchr(digits, *at) - digits);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *to++ = (unsigned char)(held >> bits);
    }
  }
  *size = (size_t)(to - (unsigned char *)json->text);
  return json->text;
}

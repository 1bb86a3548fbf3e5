// A plain socket to a broker: one request written whole, one answer read whole.
#pragma once
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static uint8_t *answer;
static size_t answer_capacity;

static int dial(void) {
  int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number_argument("port", 9092))};
  inet_pton(AF_INET, text_argument("host", "127.0.0.1"), &to.sin_addr);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) die("cannot connect to the broker");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static void send_all(int fd, const struct buffer *request) {
  for (size_t sent = 0; sent < request->length;) {
    ssize_t n = write(fd, request->bytes + sent, request->length - sent);
    if (n <= 0) die("the broker closed the connection while we wrote");
    sent += n;
  }
}

static void read_all(int fd, uint8_t *to, size_t length) {
  while (length) {
    ssize_t n = read(fd, to, length);
    if (n <= 0) die("the broker closed the connection while we read");
    to += n;
    length -= n;
  }
}

// Leaves one answer, from its correlation id on, in `answer`.
static long receive(int fd) {
  uint8_t head[4];
  read_all(fd, head, 4);
  int64_t length = get_be(head, 4);
  if (length < 4) die("an answer of negative or no length");
  if ((size_t)length > answer_capacity) answer = realloc(answer, answer_capacity = (size_t)length * 2);
  read_all(fd, answer, length);
  return length;
}


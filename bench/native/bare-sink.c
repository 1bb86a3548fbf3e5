// The least that takes Produce requests and has them in a file: read from the socket, written to the file, acknowledged. It checks
// nothing, knows no topics and can give nothing back. How far a broker stays below its rate is what being a broker costs.
// bare-sink sink --file PATH; says its port on the first line.
#include "socket.h"
#include <fcntl.h>
#include <signal.h>

enum { buffer_bytes = 4 << 20, answer_bytes = 4 + 4 + 4 + 2 + 4 + 4 + 2 + 8 + 8 + 8 + 4 };

// A whole answer to Produce 7 for one partition of a topic without a name: the client looks at nothing but the error.
static void acknowledge(int fd, const uint8_t *request) {
  uint8_t reply[answer_bytes] = {0};
  set_be(reply, answer_bytes - 4, 4);
  memcpy(reply + 4, request + correlation_at, 4);
  set_be(reply + 8, 1, 4);  // one topic
  set_be(reply + 14, 1, 4); // one partition
  if (write(fd, reply, sizeof reply) != sizeof reply) die("an answer could not be written");
}

static void serve(int fd, int file) {
  uint8_t *bytes = malloc(buffer_bytes);
  size_t held = 0;
  for (;;) {
    ssize_t n = read(fd, bytes + held, buffer_bytes - held);
    if (n <= 0) return;
    held += n;
    size_t at = 0;
    for (; held - at >= 4;) {
      size_t length = 4 + (size_t)get_be(bytes + at, 4);
      if (length > buffer_bytes) die("a request larger than the buffer");
      if (held - at < length) break;
      for (size_t written = 0; written < length;) {
        ssize_t put = write(file, bytes + at + written, length - written);
        if (put <= 0) die("the file takes no more");
        written += put;
      }
      acknowledge(fd, bytes + at);
      at += length;
    }
    memmove(bytes, bytes + at, held - at);
    held -= at;
  }
}

int main(int count, char **values) {
  argument_count = count;
  arguments = values;
  signal(SIGPIPE, SIG_IGN);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), file = open(text_argument("file", "sink"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  if (file < 0 || bind(listener, (struct sockaddr *)&at, size) || listen(listener, 16)) die("cannot listen, or no file");
  getsockname(listener, (struct sockaddr *)&at, &size);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  for (;;) { // one client after the other, each to an empty file; emptied on nobody's time
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) return 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    serve(fd, file);
    close(fd);
    if (ftruncate(file, 0) || lseek(file, 0, SEEK_SET)) die("the file cannot be emptied");
  }
}

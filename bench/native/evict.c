// Makes data cold: asks the kernel to drop a folder's files from its page cache, and counts what is still there. What a process has
// mapped stays, so brokers are stopped meanwhile.
// evict drop --folder PATH
#define _GNU_SOURCE
#include "client.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>

static long long all_bytes, cached_bytes;

static int drop(const char *path, const struct stat *found, int kind, struct FTW *at) {
  (void)at;
  if (kind != FTW_F || found->st_size == 0) return 0;
  int file = open(path, O_RDONLY);
  if (file < 0) return 0;
  fsync(file); // dirty pages cannot be dropped
  posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  size_t page = sysconf(_SC_PAGESIZE), pages = (found->st_size + page - 1) / page;
  unsigned char *in_core = malloc(pages);
  void *map = mmap(NULL, found->st_size, PROT_READ, MAP_SHARED, file, 0);
  if (map != MAP_FAILED && !mincore(map, found->st_size, in_core))
    for (size_t i = 0; i < pages; i++) cached_bytes += in_core[i] & 1 ? page : 0;
  if (map != MAP_FAILED) munmap(map, found->st_size);
  free(in_core);
  close(file);
  all_bytes += (long long)found->st_blocks * 512;
  return 0;
}

int main(int count, char **values) {
  argument_count = count;
  arguments = values;
  nftw(text_argument("folder", "."), drop, 32, FTW_PHYS);
  printf("{\"bytes\":%lld,\"cached\":%lld}\n", all_bytes, cached_bytes);
  return 0;
}

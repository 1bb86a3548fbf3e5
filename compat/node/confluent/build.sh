#!/usr/bin/env bash
# Gives @confluentinc/kafka-javascript its binary: the one that Confluent has built, where GitHub can be reached; else one
# compiled here from the sources in the package, librdkafka among them, with this machine's OpenSSL and zlib (its own
# fall-back would download those).
set -eu
cd "$(dirname "$0")/node_modules/@confluentinc/kafka-javascript"
works() { node -e 'require(".")' 2> /dev/null; }
works || timeout 120 ../../.bin/node-pre-gyp install > /dev/null 2>&1 || true
works && exit 0

prefix=$PWD/built
(cd deps/librdkafka && nice -n 10 ./configure --prefix="$prefix" --disable-sasl --disable-curl && nice -n 10 make libs &&
  make -C src install && make -C src-cpp install)
# The headers of this Node, where they stand beside it; else node-gyp asks nodejs.org.
home=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ -f "$home/include/node/node.h" ] && headers=--nodedir=$home || headers=
# In the compiler's name, or the headers of another librdkafka on this machine would come first.
BUILD_LIBRDKAFKA=0 CXX="g++ -I$prefix/include/librdkafka" LDFLAGS="-L$prefix/lib -Wl,-rpath,$prefix/lib" \
  nice -n 10 node "$(npm root -g)/npm/node_modules/node-gyp/bin/node-gyp.js" rebuild $headers
works

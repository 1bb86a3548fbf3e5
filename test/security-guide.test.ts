// docs/security.md is run as it is written, but for its command line, which is Kafka's own.

import { playGuide } from './guide.ts'

playGuide('security.md')

// The guide to revisions is run as it is written.

import { playGuide } from '../guide.ts'

playGuide('revisions.md')

// The guide to revisions is run as it is written.

import { served } from '../../src/broker/served.ts'
import { playGuide } from '../guide.ts'

served.revisions = true
playGuide('revisions.md')

// Names of configurations whose promise this build keeps. A name is accepted once everything behind it works, not before.

export const served = { revisions: true, views: true }

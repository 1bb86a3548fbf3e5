// A project as users of twiglog/jest have one.
module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.js'],
  globalSetup: './kafka.setup.js',
  globalTeardown: './kafka.teardown.js',
}

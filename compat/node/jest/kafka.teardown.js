// Stops what the setup has started.
module.exports = require('twiglog/jest').stopBroker

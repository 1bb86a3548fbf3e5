// What sarama's tests ask of toxiproxy, without a proxy: that five of them are there. A test that delays or breaks connections
// is refused, and fails. Prints the address.
import { createServer } from 'node:http'

const proxyOf = (name) => {
  const listen = `127.0.0.1:${29090 + Number(name.replace('kafka', ''))}`
  return { name, listen, upstream: listen, enabled: true, toxics: [] }
}

const server = createServer((request, response) => {
  const [, , name = ''] = (request.url ?? '').split('/')
  request.resume().on('end', () => {
    if (request.url === '/reset') response.writeHead(204).end()
    else if (request.method === 'GET' && /^kafka[1-5]$/.test(name)) response.end(JSON.stringify(proxyOf(name)))
    else response.writeHead(501).end()
  })
})
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))

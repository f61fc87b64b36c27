// A site that calls the middleware of docs/clients.md, which lies in the working directory, as Express would.

const fs = require('node:fs');
const http = require('node:http');

const uses = [];
const app = { use: (middleware) => uses.push(middleware) };
new Function('require', 'app', fs.readFileSync('lastseen.js', 'utf8'))(require, app);

const server = http.createServer((request, response) => {
  const user = /user=(\d+)/.exec(request.headers.cookie ?? '');
  if (user) request.user = { id: Number(user[1]) };
  request.originalUrl = request.url;
  request.get = (name) => request.headers[name];
  const page = () => response.end('Hello\n');
  uses.reduceRight((next, middleware) => () => middleware(request, response, next), page)();
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

// Fastify, with @fastify/session and its memory store: node fastify.js PORT on|off
const fastify = require('fastify');

const [port, mode] = [Number(process.argv[2]), process.argv[3]];
const app = fastify();
let counts = 0;
if (mode === 'on') {
  app.register(require('@fastify/cookie'));
  app.register(require('@fastify/session'), {
    secret: 'of the bench, and at least thirty-two characters',
    cookie: { secure: false },
    saveUninitialized: false,
  });
  app.get('/login', async (req) => {
    req.session.user = req.query.user;
    req.session.cart = 'x'.repeat(60);
    return 'in\n';
  });
  app.get('/read', async (req) => `${req.session.user}\n`);
  app.get('/write', async (req) => {
    req.session.count = (req.session.count || 0) + 1;
    return `${req.session.count}\n`;
  });
} else {
  app.get('/read', async () => 'user1\n');
  app.get('/write', async () => `${++counts}\n`);
}
app.listen({ port, host: '127.0.0.1' });

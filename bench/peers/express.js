// Express, with express-session and its MemoryStore: node express.js PORT on|off
const express = require('express');
const session = require('express-session');

const [port, mode] = [Number(process.argv[2]), process.argv[3]];
const app = express();
let counts = 0;
if (mode === 'on') {
  app.use(session({ secret: 'of the bench', resave: false, saveUninitialized: false }));
  app.get('/login', (req, res) => {
    req.session.user = req.query.user;
    req.session.cart = 'x'.repeat(60);
    res.send('in\n');
  });
  app.get('/read', (req, res) => res.send(`${req.session.user}\n`));
  app.get('/write', (req, res) => {
    req.session.count = (req.session.count || 0) + 1;
    res.send(`${req.session.count}\n`);
  });
} else {
  app.get('/read', (req, res) => res.send('user1\n'));
  app.get('/write', (req, res) => res.send(`${++counts}\n`));
}
app.listen(port, '127.0.0.1');

// # A proxy that does TLS, with a certificate of its own making
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";

function certificate(place) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(place, name));
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

// Gives { address, stop }. It hands requests on to `port` and says for whom.
export async function startProxy(place, port) {
  const server = createServer(certificate(place), (req, res) => {
    const headers = { ...req.headers, "x-forwarded-for": req.socket.remoteAddress, "x-forwarded-proto": "https" };
    const onward = request({ host: "127.0.0.1", port, method: req.method, path: req.url, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    onward.on("error", () => res.destroy());
    req.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `https://localhost:${server.address().port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

// What every Node.js partner of the tests shares: https on a free port, small bodies, one line on stdout.
import { readFileSync } from "node:fs";
import https from "node:https";

export function body(request) {
  return new Promise((done, fail) => {
    const parts = [];
    let size = 0;
    request.on("data", (part) => {
      size += part.length;
      if (size > 262144) fail(new Error("too large"));
      else parts.push(part);
    });
    request.on("end", () => done(Buffer.concat(parts)));
    request.on("error", fail);
  });
}

export function serve(handler) {
  const options = {
    cert: readFileSync(process.env.CERTIFICATE),
    key: readFileSync(process.env.KEY),
  };
  const server = https.createServer(options, (request, response) => {
    Promise.resolve(handler(request, response)).catch(() => {
      if (!response.headersSent) response.statusCode = 500;
      response.end();
    });
  });
  server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
    console.log(`listening ${server.address().port}`);
  });
  // The test that started it holds its input open: when that ends, so does the partner.
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
  return server;
}

export function answer(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(value === undefined ? "" : JSON.stringify(value));
}

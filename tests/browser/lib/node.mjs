// Real province nodes for the tests: each its own process, its own data, its own ports.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../../..', import.meta.url).pathname;
export const binary = process.env.FENGHUO_BIN ?? join(root, 'target/debug/fenghuo');

/** A port that nobody listened on a moment ago. */
function freePort() {
  return new Promise((found, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** Runs `fenghuo` with this environment and these arguments to its end and gives its standard output. */
export async function fenghuo(env, ...args) {
  // A home of its own: the command line keeps sessions there.
  const home = await mkdtemp(join(tmpdir(), 'fenghuo-home-'));
  try {
    return await new Promise((done, failed) => {
      const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, ...env } });
      let out = '';
      let err = '';
      child.stdout.on('data', (text) => (out += text));
      child.stderr.on('data', (text) => (err += text));
      child.on('error', failed);
      child.on('close', (code) => (code === 0 ? done(out) : failed(new Error(`fenghuo ${args.join(' ')} ended with ${code}:\n${err}${out}`))));
    });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Starts a node with empty data, on SQLite or on this PostgreSQL database, and waits until it says that it serves. */
export async function startNode(province, { databaseUrl } = {}) {
  const data = await mkdtemp(join(tmpdir(), `fenghuo-${province}-`));
  const [consolePort, partnerPort] = [await freePort(), await freePort()];
  const args = [databaseUrl ? 'serve' : 'up', '--province', province, '--data', data];
  args.push('--telephone', '000-00000000', '--console', `127.0.0.1:${consolePort}`, '--partner', `127.0.0.1:${partnerPort}`, '--json');
  if (databaseUrl) args.push('--database-url', databaseUrl);
  let { child, ended, ready, log } = await run(args);
  return {
    province,
    data,
    ready,
    url: `http://127.0.0.1:${consolePort}`,
    /** Kills it without warning, and sees that this was its end. */
    async kill() {
      child.kill('SIGKILL');
      await ended;
      if (child.signalCode !== 'SIGKILL') throw new Error(`the node of ${province} had ended before it was killed:\n${log()}`);
    },
    /** Starts it again in the same place after its end. */
    async startAgain() {
      ({ child, ended, log } = await run(args));
    },
    /** Stops it as an operator would; an unclean end is an error. */
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const code = await ended;
      clearTimeout(late);
      await rm(data, { recursive: true, force: true });
      if (code !== 0) throw new Error(`the node of ${province} ended with ${code}:\n${log()}`);
    },
  };
}

/** Runs a node until it says that it serves. */
async function run(args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => (log = (log + text).slice(-8000)));
  const ended = new Promise((done) => child.on('close', done));
  const ready = await new Promise((done, failed) => {
    child.on('error', failed);
    ended.then((code) => failed(new Error(`fenghuo ${args.join(' ')} ended with ${code}:\n${log}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) done(JSON.parse(line));
    });
    setTimeout(() => failed(new Error(`fenghuo ${args.join(' ')} said nothing for 60 s:\n${log}`)), 60_000).unref();
  });
  return { child, ended, ready, log: () => log };
}

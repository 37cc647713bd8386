// A PostgreSQL server of a test's own, which the test may stop. PostgreSQL refuses to run as root: root starts it as postgres.

import { execFile } from 'node:child_process';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

async function folderOfPrograms() {
  const versions = (await readdir(DEBIAN)).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
  if (versions.length === 0) throw new Error(`no PostgreSQL in ${DEBIAN}`);
  return join(DEBIAN, versions[0], 'bin');
}

function freePort() {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** Starts an empty server on a free port of this machine. */
export async function startPostgres() {
  const bin = await folderOfPrograms();
  // Short, for its socket, and where the user postgres may enter.
  const folder = await mkdtemp('/tmp/fenghuo-pg-');
  const root = process.getuid() === 0;
  if (root) {
    const { stdout } = await execute('id', ['-u', 'postgres']);
    await chown(folder, Number(stdout), Number((await execute('id', ['-g', 'postgres'])).stdout));
  }
  const as = root ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : ['env'];
  const run = (program, ...args) => execute(as[0], [...as.slice(1), join(bin, program), ...args], { cwd: folder });
  const data = join(folder, 'data');
  const port = await freePort();
  await run('initdb', '--no-sync', '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8', '-D', data);
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`;
  const start = () => run('pg_ctl', '-w', '-s', '-D', data, '-l', join(folder, 'log'), '-o', options, 'start');
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    start,
    /** As a crash would: connections break in the middle of what they do. */
    stop: () => run('pg_ctl', '-s', '-m', 'immediate', '-D', data, 'stop'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

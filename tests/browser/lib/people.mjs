// Sets two provinces up as administrators would: people with grants, and each enrolled with the other. By the command
// line, because the pages are the subject of the tests.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fenghuo } from './node.mjs';

const PASSWORD = 'a password of the tests';

/** Invented people. */
export const PEOPLE = {
  420000: [
    { user: 'lijing', name: '李静', post: '湖北省生态环境厅 值班员', roles: ['viewer', 'duty-officer'], password: PASSWORD },
    { user: 'zhoumin', name: '周敏', post: '湖北省生态环境厅 应急办主任', roles: ['viewer', 'commander', 'liaison'], password: PASSWORD },
  ],
  500000: [{ user: 'chentao', name: '陈涛', post: '重庆市生态环境局 值班员', roles: ['viewer', 'duty-officer'], password: PASSWORD }],
};

/** The command line of an administrator at a node, whose password the one-time link sets. */
async function administrator(node) {
  const answer = await fenghuo({ FENGHUO_PASSWORD: PASSWORD }, 'session', 'setup', '--setup-token', node.ready.setup_token, '--json', '--url', node.url);
  const token = JSON.parse(answer).session_token;
  return (env, ...args) => fenghuo({ ...env, FENGHUO_TOKEN: token }, ...args, '--url', node.url);
}

async function addPeople(command, province) {
  for (const { user, name, post, roles, password } of PEOPLE[province]) {
    const grants = roles.flatMap((role) => ['--grant', `${role}:${province}`]);
    await command({ FENGHUO_NEW_PASSWORD: password }, 'person', 'add', '--user', user, '--name', name, '--post', post, ...grants);
  }
}

/** People at one node; the command line of its administrator. */
export async function setUpAlone(node) {
  const command = await administrator(node);
  await addPeople(command, node.province);
  return command;
}

/** People at both nodes, and each in the other's directory. */
export async function setUp(one, other) {
  const folder = await mkdtemp(join(tmpdir(), 'fenghuo-bundles-'));
  const nodes = [one, other];
  const commands = [];
  const bundles = [];
  for (const node of nodes) {
    const command = await setUpAlone(node);
    const file = join(folder, `${node.province}.json`);
    const { fingerprint } = JSON.parse(await command({}, 'partner', 'bundle', '--out', file, '--json'));
    commands.push(command);
    bundles.push({ file, fingerprint });
  }
  await commands[0]({}, 'partner', 'enrol', bundles[1].file, '--fingerprint', bundles[1].fingerprint);
  await commands[1]({}, 'partner', 'enrol', bundles[0].file, '--fingerprint', bundles[0].fingerprint);
  await rm(folder, { recursive: true, force: true });
}

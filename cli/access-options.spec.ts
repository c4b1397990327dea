import { Command } from 'commander';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { addSettings } from '#runtime/settings/setting.ts';
import { accessOf, checkAnonymous } from './access-options.ts';
import { type AccessFlags, accessSettings } from './access-settings.ts';

function flags(...args: string[]): AccessFlags {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addSettings(command, ...accessSettings());
  return command.parse(args, { from: 'user' }).opts<AccessFlags>();
}

const log = pino({ level: 'silent' });

describe('without sign-in', () => {
  const open = { flag: '--listen', address: '0.0.0.0:12000' };

  it.each(['127.0.0.1:1', '[::1]:1', 'localhost:1', 'unix:/run/waggle.sock'])('%s may be listened on', (address) => {
    expect(() => checkAnonymous(flags(), [{ flag: '--listen', address }])).not.toThrow();
  });

  it('other machines are served only when that was said', () => {
    for (const address of ['0.0.0.0:12000', '[::]:12000', '10.0.0.7:12000', 'waggle.example:12000']) {
      expect(() => checkAnonymous(flags(), [{ ...open, address }])).toThrow(
        /--listen .* --auth, or say --allow-anonymous/,
      );
    }
    expect(() => checkAnonymous(flags('--allow-anonymous'), [open])).not.toThrow();
    expect(() => checkAnonymous(flags('--auth', 'token'), [open])).not.toThrow();
  });

  it('an address that asks for certificates may be reached from anywhere', () => {
    expect(() => checkAnonymous(flags(), [{ ...open, certified: true }])).not.toThrow();
  });
});

describe('settings that do not go together', () => {
  it('are refused, and what is missing is named', async () => {
    const alone = ['--auth', 'token', '--replicas', 'a.example:12000'];
    for (const [said, missing] of [
      [['--auth', 'proxy', '--access', 'all'], '--trusted-proxies'],
      [['--auth', 'oidc', '--access', 'all'], '--oidc-issuer'],
      [alone, '--replicas needs --session-key-file'],
    ] as const) {
      const refused = await accessOf(flags(...said), log).catch((error) => error);
      expect(refused).toMatchObject({ message: expect.stringContaining(missing), exitCode: 2 });
    }
    const keys = ['--session-key-file', '/nowhere/keys'];
    await expect(accessOf(flags('--auth', 'oidc', '--access', 'all', ...keys), log)).rejects.toThrow('/nowhere/keys');
  });

  it.each([
    ['--base-path', 'waggle'],
    ['--base-path', '/a b'],
    ['--base-path', '//evil.example'],
    ['--trusted-proxies', '10.0.0.0/33'],
    ['--access-rule', 'get'],
    ['--access-rule', 'get pods; drop'],
    ['--proxy-user-header', 'X User'],
    ['--auth', 'basic'],
    ['--replicas', 'waggle-replicas'],
    ['--replicas', 'unix:/run/waggle.sock'],
    ['--audiences', '0'],
  ])('%s %j is refused by its name', (flag, value) => {
    expect(() => flags(flag, value)).toThrow(flag);
  });

  it('reads what it needs', () => {
    expect(flags('--base-path', '/tools/waggle').basePath).toBe('/tools/waggle/');
    expect(flags('--access-rule', 'list flows.waggle.dev').accessRule).toEqual({
      verb: 'list',
      group: 'waggle.dev',
      resource: 'flows',
    });
  });
});

import { describe, expect, it } from 'vitest';
import { answerRuntime } from './cni-plugin.ts';
import { readNetworkConfig } from './network-config.ts';

const prevResult = {
  cniVersion: '1.1.0',
  interfaces: [
    { name: 'cni0', mac: '00:00:00:00:00:01' },
    { name: 'veth1', mac: '00:00:00:00:00:02', sandbox: '' },
    { name: 'eth0', mac: '00:00:00:00:00:03', sandbox: '/run/netns/x' },
  ],
  ips: [{ interface: 2, address: '10.1.0.7/24', gateway: '10.1.0.1' }, { address: 'fd00::7/64' }, { address: 7 }],
  dns: {},
};
const config = (more: object = {}) =>
  JSON.stringify({ cniVersion: '1.1.0', name: 'net', type: 'waggle-cni', prevResult, ...more });
const AWAY = { agentSocket: '/run/nobody/agent.sock' };
const POD = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=u';

describe('a network configuration', () => {
  it('tells what the plugins before have made', () => {
    expect(readNetworkConfig(config())).toEqual({
      cniVersion: '1.1.0',
      agentSocket: '/run/waggle/agent/agent.sock',
      timeoutMs: 5000,
      previous: { result: prevResult, hostInterfaces: ['cni0', 'veth1'], addresses: ['10.1.0.7', 'fd00::7'] },
    });
  });

  it.each([
    ['{', 6],
    ['[]', 6],
    [config({ cniVersion: 1 }), 7],
    [config({ agentSocket: 'relative.sock' }), 7],
    [config({ timeoutMs: -1 }), 7],
    [config({ timeoutMs: 1e9 }), 7],
  ])('that is wrong is refused by number: %s', async (text, code) => {
    const { output, exitCode } = await answerRuntime({ CNI_COMMAND: 'ADD' }, text);
    expect([exitCode, output]).toMatchObject([1, { code }]);
  });
});

describe('the plugin', () => {
  it('names its versions, and refuses others', async () => {
    const version = await answerRuntime({ CNI_COMMAND: 'VERSION' }, '{"cniVersion":"9.9.9"}');
    expect(version).toMatchObject({ exitCode: 0, output: { cniVersion: '9.9.9' } });
    expect((version.output as { supportedVersions: string[] }).supportedVersions).toContain('1.1.0');
    const refused = await answerRuntime({ CNI_COMMAND: 'ADD' }, config({ cniVersion: '9.9.9' }));
    expect(refused).toMatchObject({ exitCode: 1, output: { code: 1 } });
    expect(await answerRuntime({ CNI_COMMAND: 'WALK' }, config())).toMatchObject({ exitCode: 1, output: { code: 4 } });
    expect(await answerRuntime({}, config())).toMatchObject({ exitCode: 1, output: { code: 4 } });
  });

  it('starts no pod without its agent, and lets every pod go', async () => {
    const environment = (command: string) => ({ CNI_COMMAND: command, CNI_ARGS: POD, CNI_NETNS: '/run/netns/none' });
    const answer = (command: string, more: object = AWAY) => answerRuntime(environment(command), config(more));
    expect(await answer('ADD')).toMatchObject({
      exitCode: 1,
      output: { code: 11, msg: expect.stringMatching(/nobody/) },
    });
    expect(await answer('CHECK')).toMatchObject({ exitCode: 1, output: { code: 11 } });
    expect(await answer('STATUS')).toMatchObject({ exitCode: 1, output: { code: 50 } });
    for (const command of ['DEL', 'GC']) expect(await answer(command)).toEqual({ exitCode: 0, output: undefined });
    const alone = await answer('ADD', { ...AWAY, prevResult: undefined });
    expect(alone).toMatchObject({ exitCode: 1, output: { code: 7 } });
  });

  it('has nothing to say about what is no pod', async () => {
    const answer = await answerRuntime({ CNI_COMMAND: 'ADD', CNI_ARGS: '' }, config(AWAY));
    expect(answer).toEqual({ exitCode: 0, output: prevResult });
  });
});

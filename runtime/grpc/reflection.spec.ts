import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { credentials, Client as GrpcClient } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '#proto/gen/grpc/reflection/v1/reflection_pb.ts';
import { Health } from '../health.ts';
import { healthService } from './health-service.ts';
import { startGrpcServer } from './server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Asks as grpcurl does: one stream, one answer per question. */
async function ask(name: string, ...questions: ServerReflectionRequest['messageRequest'][]) {
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    log: pino({ level: 'silent' }),
    services: [healthService(new Health(), [])],
  });
  cleanups.push(() => server.stop(0));
  const client = new GrpcClient(server.address, credentials.createInsecure());
  cleanups.push(() => client.close());
  const call = client.makeBidiStreamRequest(
    `/${name}/ServerReflectionInfo`,
    (message: ServerReflectionRequest) => Buffer.from(toBinary(ServerReflectionRequestSchema, message)),
    (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
  );
  for (const messageRequest of questions) call.write(create(ServerReflectionRequestSchema, { messageRequest }));
  call.end();
  return Array.fromAsync(call as AsyncIterable<ServerReflectionResponse>, (answer) => answer.messageResponse);
}

test.each(['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'])(
  '%s lists services and gives the files a caller needs to call them',
  async (name) => {
    const [listed, files, byName] = await ask(
      name,
      { case: 'listServices', value: '' },
      { case: 'fileContainingSymbol', value: 'grpc.health.v1.Health' },
      { case: 'fileByFilename', value: 'grpc/health/v1/health.proto' },
    );
    if (listed.case !== 'listServicesResponse') throw new Error(`${listed.case}`);
    expect(listed.value.service.map((one) => one.name)).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
    if (files.case !== 'fileDescriptorResponse') throw new Error(`${files.case}`);
    expect(byName).toEqual(files);
    const protos: FileDescriptorProto[] = files.value.fileDescriptorProto.map((bytes) =>
      fromBinary(FileDescriptorProtoSchema, bytes),
    );
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: protos.reverse() }));
    expect(registry.getService('grpc.health.v1.Health')?.method.check.output.typeName).toBe(
      'grpc.health.v1.HealthCheckResponse',
    );
  },
);

test('says of what it does not know that it does not', async () => {
  const answers = await ask(
    'grpc.reflection.v1.ServerReflection',
    { case: 'fileContainingSymbol', value: 'no.Such' },
    { case: undefined },
    { case: 'allExtensionNumbersOfType', value: 'x' },
  );
  expect(answers.map((answer) => (answer.case === 'errorResponse' ? answer.value.errorCode : answer.case))).toEqual([
    5,
    3,
    'allExtensionNumbersResponse',
  ]);
});

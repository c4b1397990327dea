import { create, type DescFile, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { MethodDefinition, Server, ServerDuplexStream } from '@grpc/grpc-js';
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '#proto/gen/grpc/reflection/v1/reflection_pb.ts';
import { Code, type ServedService } from './service.ts';

/** The messages of both are the same. */
const SERVICE_NAMES = [ServerReflection.typeName, 'grpc.reflection.v1alpha.ServerReflection'];

/** Makes the server tell grpcurl and its like which services it has, with their messages. */
export function addReflection(server: Server, services: readonly ServedService[]): void {
  const index = new DescriptorIndex(services);
  for (const name of SERVICE_NAMES) {
    const definition: MethodDefinition<ServerReflectionRequest, ServerReflectionResponse> = {
      path: `/${name}/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message) => Buffer.from(toBinary(ServerReflectionRequestSchema, message)),
      requestDeserialize: (bytes) => fromBinary(ServerReflectionRequestSchema, bytes),
      responseSerialize: (message) => Buffer.from(toBinary(ServerReflectionResponseSchema, message)),
      responseDeserialize: (bytes) => fromBinary(ServerReflectionResponseSchema, bytes),
    };
    server.addService(
      { serverReflectionInfo: definition },
      {
        serverReflectionInfo(call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>) {
          // A caller that asks and does not read is not read from either.
          call.on('data', (request: ServerReflectionRequest) => {
            if (!call.write(index.answer(request))) {
              call.pause();
              call.once('drain', () => call.resume());
            }
          });
          call.on('end', () => call.end());
          call.on('error', () => {});
        },
      },
    );
  }
}

/** Where each symbol of the served files is declared. */
class DescriptorIndex {
  readonly #services: string[];
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();

  constructor(services: readonly ServedService[]) {
    this.#services = [...services.map(({ descriptor }) => descriptor.typeName), ...SERVICE_NAMES].sort();
    for (const { descriptor } of services) this.#add(descriptor.file);
    this.#add(ServerReflection.file);
    this.#symbols.set(SERVICE_NAMES[1], ServerReflection.file);
  }

  answer(request: ServerReflectionRequest): ServerReflectionResponse {
    return create(ServerReflectionResponseSchema, {
      validHost: request.host,
      originalRequest: request,
      messageResponse: this.#messageResponse(request.messageRequest),
    });
  }

  #messageResponse({
    case: asked,
    value,
  }: ServerReflectionRequest['messageRequest']): ServerReflectionResponse['messageResponse'] {
    switch (asked) {
      case 'listServices': {
        const service = this.#services.map((name) => ({
          $typeName: 'grpc.reflection.v1.ServiceResponse' as const,
          name,
        }));
        return {
          case: 'listServicesResponse',
          value: { $typeName: 'grpc.reflection.v1.ListServiceResponse', service },
        };
      }
      case 'fileByFilename':
        return fileResponse(this.#files.get(value), value);
      case 'fileContainingSymbol':
        return fileResponse(this.#symbols.get(value), value);
      case 'allExtensionNumbersOfType':
        return {
          case: 'allExtensionNumbersResponse',
          value: {
            $typeName: 'grpc.reflection.v1.ExtensionNumberResponse',
            baseTypeName: value,
            extensionNumber: [],
          },
        };
      default:
        return failure(asked === undefined ? Code.INVALID_ARGUMENT : Code.NOT_FOUND, 'there is no such thing here');
    }
  }

  #add(file: DescFile): void {
    const name = file.proto.name;
    if (this.#files.has(name)) return;
    this.#files.set(name, file);
    for (const message of file.messages) this.#addMessage(message, file);
    for (const { typeName } of file.enums) this.#symbols.set(typeName, file);
    for (const { typeName, methods } of file.services) {
      this.#symbols.set(typeName, file);
      for (const method of methods) this.#symbols.set(`${typeName}.${method.name}`, file);
    }
    for (const dependency of file.dependencies) this.#add(dependency);
  }

  #addMessage(message: DescFile['messages'][number], file: DescFile): void {
    this.#symbols.set(message.typeName, file);
    for (const { name } of message.fields) this.#symbols.set(`${message.typeName}.${name}`, file);
    for (const { typeName } of message.nestedEnums) this.#symbols.set(typeName, file);
    for (const nested of message.nestedMessages) this.#addMessage(nested, file);
  }
}

/** The file and all it imports, so that a caller needs to ask only once. */
function fileResponse(file: DescFile | undefined, asked: string): ServerReflectionResponse['messageResponse'] {
  if (file === undefined) return failure(Code.NOT_FOUND, `${JSON.stringify(asked.slice(0, 200))} is not known here`);
  const ordered = new Set<DescFile>();
  const add = (one: DescFile) => {
    for (const dependency of one.dependencies) if (!ordered.has(dependency)) add(dependency);
    ordered.add(one);
  };
  add(file);
  const files = [...ordered].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return {
    case: 'fileDescriptorResponse',
    // The file asked for stands first.
    value: { $typeName: 'grpc.reflection.v1.FileDescriptorResponse', fileDescriptorProto: files.reverse() },
  };
}

function failure(errorCode: number, errorMessage: string): ServerReflectionResponse['messageResponse'] {
  return {
    case: 'errorResponse',
    value: { $typeName: 'grpc.reflection.v1.ErrorResponse', errorCode, errorMessage },
  };
}

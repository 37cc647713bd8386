import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { expired, session, setSession } from './session';
import { newTraceparent } from './trace';

const UNARY_LIMIT_MS = 20_000;

// Tells who calls and in which space; a session that the server no longer knows ends here, and the drafts stay.
export function caller(space: string): Interceptor {
  return (next) => async (request) => {
    const token = session.get()?.token;
    if (token) request.header.set('authorization', `Bearer ${token}`);
    request.header.set('fenghuo-space', space);
    request.header.set('traceparent', newTraceparent());
    try {
      if (request.stream) return await next(request);
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(UNARY_LIMIT_MS)]);
      return await next({ ...request, signal });
    } catch (error) {
      if (token && ConnectError.from(error).code === Code.Unauthenticated && session.get()?.token === token) {
        expired.set(true);
        setSession(null);
      }
      throw error;
    }
  };
}

/** gRPC-web to the node that served the page. */
export function makeTransport(space: string): Transport {
  return createGrpcWebTransport({
    baseUrl: location.origin,
    useBinaryFormat: true,
    interceptors: [caller(space)],
  });
}

export type * from './api.ts';
export { type ChannelId, type Client, createClient } from './client.ts';
export { ApiError, ConnectionError, isProblem, TimeoutError } from './errors.ts';
export type { Followed, FollowOptions } from './feed.ts';
export type { CallOptions, ClientOptions } from './http.ts';
export type { List } from './lists.ts';
export {
  type Delivered,
  type ReceivedRequest,
  SignatureError,
  type SignatureFault,
  type VerifyOptions,
  verify,
} from './verify.ts';

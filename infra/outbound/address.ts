import ipaddr from 'ipaddr.js';

/** Whether an IP address is one of the public internet's; private, local, reserved and mapped ones are not. */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

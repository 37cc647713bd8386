import { createContext, useContext, useEffect, useMemo, type ReactNode } from 'react';
import type { Clients } from '../api/clients';
import type { GetNodeResponse } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useNow } from './clock';
import { Live } from './live';

/** What every part of the desk needs: the node, the space, the calls, and what is followed. */
export interface Desk {
  node: GetNodeResponse;
  space: string;
  clients: Clients;
  live: Live;
}

const Context = createContext<Desk | null>(null);

export function DeskProvider(props: { node: GetNodeResponse; space: string; clients: Clients; children: ReactNode }) {
  const { node, space, clients } = props;
  const live = useMemo(() => new Live(clients, node.provinceCode), [clients, node.provinceCode]);
  useEffect(() => live.start(), [live]);
  const desk = useMemo(() => ({ node, space, clients, live }), [node, space, clients, live]);
  return <Context.Provider value={desk}>{props.children}</Context.Provider>;
}

export function useDesk(): Desk {
  const desk = useContext(Context);
  if (!desk) throw new Error('useDesk is called outside of DeskProvider');
  return desk;
}

/** The time of the space, once a second. */
export function useSpaceNow(): number {
  return useNow(useDesk().live.clock);
}

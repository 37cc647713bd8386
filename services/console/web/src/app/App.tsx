import { useEffect, useMemo, useState } from 'react';
import { makeClients } from '../api/clients';
import { problemOf, type Problem } from '../api/errors';
import { session as sessionStore } from '../api/session';
import type { GetNodeResponse } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { DeskProvider } from '../live/context';
import { useStore } from '../live/store';
import { SetupPage } from '../session/SetupPage';
import { SignInPage } from '../session/SignInPage';
import { ProblemBox } from '../ui/Problem';
import { useRoute } from './route';
import { space as spaceStore } from './settings';
import { Shell } from './Shell';

const AGAIN_MS = 2000;

/** Asks the node what it is, until it answers; and again after a sign-in or sign-out, because the first one changes it. */
function useNode(signedIn: boolean): { node: GetNodeResponse | null; problem: Problem | null } {
  const [node, setNode] = useState<GetNodeResponse | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const ask = async () => {
      try {
        const answer = await makeClients('real').sessions.getNode({});
        if (over) return;
        setNode(answer);
        setProblem(null);
        if (answer.databaseUnreachable) timer = setTimeout(() => void ask(), AGAIN_MS);
      } catch (error) {
        if (over) return;
        setProblem(problemOf(error));
        timer = setTimeout(() => void ask(), AGAIN_MS);
      }
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [signedIn]);
  return { node, problem };
}

export function App() {
  const { t } = useI18n();
  const route = useRoute();
  const session = useStore(sessionStore);
  const space = useStore(spaceStore);
  const { node, problem } = useNode(session !== null);
  const clients = useMemo(() => makeClients(space), [space]);

  if (!node) {
    return (
      <main className="plain" data-testid="loading">
        {problem ? <ProblemBox problem={problem} /> : <p className="faint">{t('app.loading')}</p>}
      </main>
    );
  }
  if (route.page === 'setup') return <SetupPage node={node} token={route.token} />;
  if (!session) return <SignInPage node={node} />;
  return (
    <DeskProvider key={`${space}|${session.token}`} node={node} space={space} clients={clients}>
      <Shell />
    </DeskProvider>
  );
}

import { useState } from 'react';
import { makeClients } from '../api/clients';
import { expired, setSession } from '../api/session';
import { useCall } from '../api/useCall';
import { switchLang } from '../app/Shell';
import type { GetNodeResponse } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { useStore } from '../live/store';
import { drafts } from '../api/useDraft';
import { Button } from '../ui/Button';
import { FormProblem, ProblemBox } from '../ui/Problem';
import { TextField } from '../ui/TextField';

/** Name and password. After a session ended by itself it says that drafts are kept. */
export function SignInPage({ node }: { node: GetNodeResponse }) {
  const { t, pick, lang } = useI18n();
  const call = useCall();
  const ended = useStore(expired);
  const [userName, setUserName] = useState('');
  const [password, setPassword] = useState('');
  const kept = drafts.keys().filter((k) => k.startsWith(node.provinceCode)).length;

  const send = async () => {
    const answer = await call.run(() => makeClients('real').sessions.signIn({ userName: userName.trim().toLowerCase(), password }));
    if (!answer?.person) return;
    expired.set(false);
    setSession({ token: answer.sessionToken, person: answer.person });
  };

  return (
    <main className="plain" data-testid="sign-in-page">
      <form className="sign-in" onSubmit={(e) => (e.preventDefault(), void send())} noValidate>
        <p className="brand-line">烽火 Fenghuo</p>
        <h1 data-testid="node-name">{pick(node.displayName, node.displayNameEn)}</h1>
        <p className="faint">{t('signIn.title')}</p>
        {ended && (
          <p role="status" data-testid="session-expired">
            {t('signIn.expired')}
          </p>
        )}
        {kept > 0 && (
          <p className="faint" data-testid="drafts-kept">
            {t('signIn.drafts', { n: kept })}
          </p>
        )}
        {node.databaseUnreachable && (
          <p role="status" className="wrong" data-testid="sign-in-database">
            ✕ {t('signIn.database')}
          </p>
        )}
        {node.needsSetup && <p data-testid="needs-setup">{t('signIn.needsSetup')}</p>}
        <FormProblem value={call.problem}>
          <TextField
            label={t('signIn.userName')}
            path="user_name"
            value={userName}
            onChange={setUserName}
            testId="user-name"
            autoFocus
            autoComplete="username"
          />
          <TextField
            label={t('signIn.password')}
            path="password"
            type="password"
            value={password}
            onChange={setPassword}
            testId="password"
            autoComplete="current-password"
          />
          <ProblemBox problem={call.problem} />
        </FormProblem>
        <div className="row spread">
          <Button
            type="submit"
            label={call.busy ? t('common.sending') : t('signIn.send')}
            hint="Enter"
            tone="main"
            disabled={call.busy}
            testId="sign-in"
          />
          <Button label={lang === 'zh' ? 'English' : '中文'} tone="quiet" testId="switch-lang" onClick={switchLang} />
        </div>
      </form>
    </main>
  );
}

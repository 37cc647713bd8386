import { useState } from 'react';
import { makeClients } from '../api/clients';
import { setSession } from '../api/session';
import { useCall } from '../api/useCall';
import { go } from '../app/route';
import { switchLang } from '../app/Shell';
import type { GetNodeResponse } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { Button } from '../ui/Button';
import { FormProblem, ProblemBox } from '../ui/Problem';
import { TextField } from '../ui/TextField';

const SHORTEST = 10;

/** The first start: whoever holds the one-time link sets the administrator's password. */
export function SetupPage({ node, token }: { node: GetNodeResponse; token: string }) {
  const { t, pick, lang } = useI18n();
  const call = useCall();
  // Read once: the address is cleaned when the link has been used.
  const [setupToken] = useState(token);
  const [userName, setUserName] = useState('admin');
  const [displayName, setDisplayName] = useState('');
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const short = password !== '' && password.length < SHORTEST ? t('password.short', { n: SHORTEST }) : undefined;
  const differ = again !== '' && again !== password ? t('password.differ') : undefined;
  const ready = setupToken !== '' && password.length >= SHORTEST && again === password;

  const send = async () => {
    const answer = await call.run(() =>
      makeClients('real').sessions.redeemSetupLink({
        setupToken,
        userName: userName.trim().toLowerCase(),
        displayName: displayName.trim(),
        password,
      }),
    );
    if (!answer?.person) return;
    setSession({ token: answer.sessionToken, person: answer.person });
    go({ page: 'people' });
  };

  return (
    <main className="plain" data-testid="setup-page">
      <form className="sign-in" onSubmit={(e) => (e.preventDefault(), void (ready && send()))} noValidate>
        <p className="brand-line">烽火 Fenghuo</p>
        <h1>{pick(node.displayName, node.displayNameEn)}</h1>
        <p>{t('setup.title')}</p>
        {setupToken === '' && <p role="alert">{t('setup.noToken')}</p>}
        <FormProblem value={call.problem}>
          <TextField
            label={t('signIn.userName')}
            path="user_name"
            value={userName}
            onChange={setUserName}
            testId="setup-user-name"
            autoComplete="username"
          />
          <TextField
            label={t('people.displayName')}
            path="display_name"
            value={displayName}
            onChange={setDisplayName}
            testId="setup-display-name"
            autoFocus
          />
          <TextField
            label={t('password.new')}
            path="password"
            type="password"
            value={password}
            onChange={setPassword}
            testId="setup-password"
            wrong={short}
            autoComplete="new-password"
          />
          <TextField
            label={t('password.again')}
            type="password"
            value={again}
            onChange={setAgain}
            testId="setup-password-again"
            wrong={differ}
            autoComplete="new-password"
          />
          <ProblemBox problem={call.problem} />
        </FormProblem>
        <div className="row spread">
          <Button
            type="submit"
            label={call.busy ? t('common.sending') : t('setup.send')}
            hint="Enter"
            tone="main"
            disabled={call.busy || !ready}
            testId="setup-send"
          />
          <Button label={lang === 'zh' ? 'English' : '中文'} tone="quiet" testId="switch-lang" onClick={switchLang} />
        </div>
      </form>
    </main>
  );
}

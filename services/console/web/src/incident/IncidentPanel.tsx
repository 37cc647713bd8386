import { useEffect, useState } from 'react';
import { problemOf, type Problem } from '../api/errors';
import { go } from '../app/route';
import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { useSee } from '../live/seen';
import { useStore } from '../live/store';
import { ProblemBox } from '../ui/Problem';
import { ActionForm } from './ActionForm';
import { Actions, type Action } from './Actions';
import { Clocks } from './Clocks';
import { FactsSection } from './FactsSection';
import { GradeSection } from './GradeSection';
import { Head } from './Head';
import { NoIncident } from './NoIncident';
import { NotificationsSection } from './NotificationsSection';
import { Reports } from './Reports';
import { TakenNotice } from './TakenNotice';
import { Timeline } from './Timeline';
import { UpwardReports } from './UpwardReports';

/** The incident at hand: what is known, what it is graded, what is owed by when, who was told. */
export function IncidentPanel({ name }: { name: string }) {
  const { t } = useI18n();
  const { live, node, space } = useDesk();
  const details = useStore(live.incidents.details);
  const summary = useStore(live.incidents.list).get(name);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [action, setAction] = useState<Action | null>(null);

  useEffect(() => {
    if (!name) return;
    const stop = live.incidents.watch(name);
    live.incidents.refresh(name).then(
      () => setProblem(null),
      (error: unknown) => setProblem(problemOf(error)),
    );
    return stop;
  }, [live, name]);

  const incident = details.get(name) ?? summary;
  useSee(`${node.provinceCode}|${space}`, incident?.name, incident?.etag);

  if (!name) return <NoIncident />;
  if (!incident) return problem ? <ProblemBox problem={problem} /> : <p className="empty">{t('app.loading')}</p>;
  const done = (changed?: Incident) => {
    if (changed) live.incidents.put(changed);
    setAction(null);
  };
  return (
    <article className="incident" data-testid="incident" data-name={name} aria-label={incident.title}>
      <TakenNotice incident={name} />
      <Head incident={incident} onClose={() => go({ incident: '' })} />
      <Actions incident={incident} onAction={setAction} quiet={action !== null} />
      {action && (
        <ActionForm
          key={action.kind + (action.clock ?? '')}
          action={action}
          incident={incident}
          onDone={done}
          onCancel={() => setAction(null)}
        />
      )}
      <Clocks incident={incident} onAction={setAction} />
      <GradeSection incident={incident} />
      <NotificationsSection incident={incident} onAction={setAction} />
      <FactsSection incident={incident} />
      <UpwardReports incident={incident} />
      <Reports incident={incident} />
      <Timeline incident={incident} />
    </article>
  );
}

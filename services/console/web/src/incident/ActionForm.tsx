import type { Incident } from '../gen/proto/fenghuo/incident/v1/incident_pb';
import type { Action } from './Actions';
import { CloseForm } from './CloseForm';
import { DraftForm } from './DraftForm';
import { DutyForm } from './DutyForm';
import { FactsForm } from './FactsForm';
import { GradeForm } from './GradeForm';
import { LearnedForm } from './LearnedForm';
import { UpwardForm } from './UpwardForm';

export interface FormProps {
  incident: Incident;
  action: Action;
  onDone: (changed?: Incident) => void;
  onCancel: () => void;
}

const FORMS = {
  facts: FactsForm,
  grade: GradeForm,
  upward: UpwardForm,
  learned: LearnedForm,
  duty: DutyForm,
  draft: DraftForm,
  close: CloseForm,
};

/** The form of the action that is under way. */
export function ActionForm(props: FormProps) {
  const Form = FORMS[props.action.kind];
  return <Form {...props} />;
}

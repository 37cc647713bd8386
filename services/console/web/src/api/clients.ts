import { createClient, type Client } from '@connectrpc/connect';
import { AuditService } from '../gen/proto/fenghuo/audit/v1/audit_pb';
import { ExerciseService } from '../gen/proto/fenghuo/exercise/v1/exercise_pb';
import { PeopleService, SessionService } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { IncidentService } from '../gen/proto/fenghuo/incident/v1/incident_service_pb';
import { NotificationService, PartnerDirectoryService } from '../gen/proto/fenghuo/notification/v1/notification_service_pb';
import { OperationService } from '../gen/proto/fenghuo/operation/v1/operation_pb';
import { makeTransport } from './transport';

/** The services of the node, spoken to in one space. */
export interface Clients {
  audit: Client<typeof AuditService>;
  exercises: Client<typeof ExerciseService>;
  incidents: Client<typeof IncidentService>;
  notifications: Client<typeof NotificationService>;
  operation: Client<typeof OperationService>;
  partners: Client<typeof PartnerDirectoryService>;
  people: Client<typeof PeopleService>;
  sessions: Client<typeof SessionService>;
}

export function makeClients(space: string): Clients {
  const transport = makeTransport(space);
  return {
    audit: createClient(AuditService, transport),
    exercises: createClient(ExerciseService, transport),
    incidents: createClient(IncidentService, transport),
    notifications: createClient(NotificationService, transport),
    operation: createClient(OperationService, transport),
    partners: createClient(PartnerDirectoryService, transport),
    people: createClient(PeopleService, transport),
    sessions: createClient(SessionService, transport),
  };
}

"""A small OpenAPI document with every turn that the reference has to follow: references, choices, recursion."""

from typing import Any

SPEC: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Sayso", "version": "0.1.0", "description": "Consent, policy, vault and audit log."},
    "tags": [{"name": "Consent", "description": "What people were told and what they chose."}],
    "paths": {
        "/v1/consents": {
            "post": {
                "tags": ["Consent"],
                "summary": "Record a choice",
                "description": "Writes the choice and its log entry together.",
                "parameters": [
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "schema": {"type": "string"},
                        "description": "Same key, same answer.",
                    }
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Submission"}}}
                },
                "responses": {
                    "201": {
                        "description": "Recorded",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Recorded"}}},
                    },
                    "409": {
                        "description": "The notice changed",
                        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                    },
                },
            }
        },
        "/v1/subjects/{subject}/history": {
            "get": {
                "tags": ["Consent"],
                "summary": "Records, newest first",
                "parameters": [{"name": "subject", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "A page of records"}},
            }
        },
        "/v1/vault/reveal": {
            "post": {"tags": ["Vault"], "summary": "Reveal values", "responses": {"200": {"description": "In order"}}}
        },
    },
    "components": {
        "schemas": {
            "Submission": {
                "type": "object",
                "required": ["notice", "choices"],
                "properties": {
                    "notice": {"type": "string", "description": "Name of the notice."},
                    "choices": {
                        "type": "object",
                        "additionalProperties": {"type": "string", "enum": ["granted", "refused"]},
                    },
                    "evidence": {"anyOf": [{"$ref": "#/components/schemas/Evidence"}, {"type": "null"}]},
                },
            },
            "Evidence": {
                "type": "object",
                "properties": {"page": {"type": "string"}, "before": {"$ref": "#/components/schemas/Evidence"}},
            },
            "Problem": {"type": "object", "properties": {"published_version": {"type": "integer"}}},
            "Recorded": {
                "type": "object",
                "required": ["record"],
                "properties": {"record": {"type": "string"}, "receipt": {"type": "string"}},
            },
        }
    },
}

"""Executions of the state machine: the one model of them, and how it is read from AWS.

`definition` reads the state machine; `history` turns the events of an execution into states,
attempts and times. The events come from Step Functions (`collect`) or from the log of an EXPRESS
state machine (`logged`).

Whatever takes clients raises BotoCoreError or ClientError where AWS does not answer or refuses.
"""

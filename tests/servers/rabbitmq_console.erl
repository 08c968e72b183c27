%% Run by the node once it has booted: evaluates one line of Erlang per connection and answers with
%% what it returned. A tenth of a millisecond where `rabbitmqctl eval` takes two seconds.
Port = list_to_integer(os:getenv("FOREBAY_TEST_CONSOLE_PORT")).

Evaluate = fun(Line) ->
    {ok, Tokens, _} = erl_scan:string(binary_to_list(Line)),
    {ok, Expressions} = erl_parse:parse_exprs(Tokens),
    {value, Value, _} = erl_eval:exprs(Expressions, []),
    Value
end.

Answer = fun(Socket) ->
    {ok, Line} = gen_tcp:recv(Socket, 0),
    Result = try {ok, Evaluate(Line)} catch Class:Reason -> {Class, Reason} end,
    gen_tcp:send(Socket, io_lib:format("~0p~n", [Result])),
    gen_tcp:close(Socket)
end.

spawn(fun() ->
    Options = [binary, {packet, line}, {active, false}, {reuseaddr, true}, {ip, {127, 0, 0, 1}}],
    {ok, Listener} = gen_tcp:listen(Port, Options),
    Serve = fun Loop() ->
        {ok, Socket} = gen_tcp:accept(Listener),
        catch Answer(Socket),
        Loop()
    end,
    Serve()
end).

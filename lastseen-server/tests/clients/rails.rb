# A site whose controller includes the concern of docs/clients.md, which lies in the working directory, as Rails would.

require "json"
require "socket"

module ActiveSupport
  # What a concern says of whoever includes it happens there, once it is included.
  module Concern
    def included(base = nil, &block)
      base ? base.class_eval(&@said) : @said = block
    end
  end
end

require "./lastseen"

User = Struct.new(:id)

Request = Struct.new(:request_method, :fullpath, :headers) do
  def get_header(name)
    headers[name]
  end
end

class ApplicationController
  def self.after_action(name)
    (@after ||= []) << name
  end

  def self.after
    @after
  end

  include LastSeen
  attr_reader :request, :current_user

  def initialize(request, user)
    @request, @current_user = request, user
  end

  def page
    self.class.after.each { |name| send(name) }
    "Hello\n"
  end
end

server = TCPServer.new("127.0.0.1", 0)
puts "listening on http://127.0.0.1:#{server.addr[1]}"
$stdout.flush
loop do
  client = server.accept
  method, path = client.gets.split
  headers = { "REMOTE_ADDR" => client.peeraddr[3] }
  while (line = client.gets.chomp) != ""
    name, value = line.split(": ", 2)
    headers["HTTP_#{name.upcase.tr("-", "_")}"] = value
  end
  user = headers["HTTP_COOKIE"]&.match(/user=(\d+)/)
  page = ApplicationController.new(Request.new(method, path, headers), user && User.new(user[1].to_i)).page
  client.write "HTTP/1.1 200 OK\r\nContent-Length: #{page.bytesize}\r\nConnection: close\r\n\r\n#{page}"
  client.close
end
